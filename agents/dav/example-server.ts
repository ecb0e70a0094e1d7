// A CalDAV server with one collection and no memory beyond one call, for the examples that agents are
// checked by: principal, home, list of objects with their versions, several objects at once, and writes
// on condition. The real one is asked in the integration tests.

import type { ExampleReply, ExampleRequest, ExampleServers } from '../check/examples-contract.ts'

export const exampleOrigin = 'https://dav.example.com'
const collection = '/dav/anna/home/'

/** @param texts by the object's name, without `.ics` */
export function exampleDav(texts: Readonly<Record<string, string>>): () => ExampleServers {
  return () => {
    const objects = new Map(Object.entries(texts).map(([name, text]) => [pathOf(name), text]))
    return {
      answer: (request) => answer(request, objects),
      state: () => Object.fromEntries(objects),
    }
  }
}

const pathOf = (name: string) => `${collection}${name}.ics`

function answer(request: ExampleRequest, objects: Map<string, string>): ExampleReply | undefined {
  const { method, path, body = '' } = request
  switch (method) {
    case 'PROPFIND':
      return found(path, objects)
    case 'REPORT': {
      const asked = [...body.matchAll(/<(?:\w+:)?href>([^<]*)</g)].map(([, href]) => href ?? '')
      return list(asked.flatMap((href) => described(href, objects.get(href))))
    }
    case 'GET': {
      const text = objects.get(path)
      return text === undefined ? undefined : { status: 200, headers: etag(text), body: text }
    }
    case 'PUT':
    case 'DELETE':
      return write(request, objects)
    case 'POST':
      return undefined
  }
}

function found(path: string, objects: ReadonlyMap<string, string>): ExampleReply | undefined {
  const href = (inner: string) => `<href>${inner}</href>`
  switch (path) {
    case '/':
      return list([
        response(path, `<current-user-principal>${href('/dav/anna/')}</current-user-principal>`),
      ])
    case '/dav/anna/':
      return list([
        response(
          path,
          `<c:calendar-home-set>${href(path)}</c:calendar-home-set><resourcetype><collection/></resourcetype>`,
        ),
        ofCollection,
      ])
    case collection:
      return list([ofCollection, ...[...objects].flatMap(([at, text]) => described(at, text))])
    default:
      return undefined
  }
}

const ofCollection = response(
  collection,
  '<displayname>Server</displayname><resourcetype><collection/><c:calendar/></resourcetype>',
)

function write(
  { method, path, body = '', headers = {} }: ExampleRequest,
  objects: Map<string, string>,
): ExampleReply {
  const present = objects.get(path)
  const isFree = headers['if-none-match'] === '*' && present === undefined
  const isRead = present !== undefined && headers['if-match'] === etag(present).etag
  if (!isFree && !isRead) return { status: 412, body: '' }
  if (method === 'DELETE') {
    objects.delete(path)
    return { status: 204, body: '' }
  }
  objects.set(path, body)
  return { status: present === undefined ? 201 : 204, headers: etag(body), body: '' }
}

/** Two texts of one length and ending are one version here, which is enough for examples. */
function etag(text: string): { readonly etag: string } {
  return { etag: `"${text.length}-${Buffer.from(text).toString('base64url').slice(-40)}"` }
}

function described(path: string, text: string | undefined): string[] {
  if (text === undefined) return []
  const data = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('\r', '&#13;')
  return [
    response(
      path,
      `<getetag>${etag(text).etag}</getetag><c:calendar-data>${data}</c:calendar-data>`,
    ),
  ]
}

function response(path: string, props: string): string {
  return `<response><href>${path}</href><propstat><prop>${props}</prop><status>HTTP/1.1 200 OK</status></propstat></response>`
}

function list(responses: readonly string[]): ExampleReply {
  const body = `<multistatus xmlns="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav">${responses.join('')}</multistatus>`
  return { status: 207, headers: { 'content-type': 'text/xml; charset=utf-8' }, body }
}
