// Who may see a value, in the words of labels. Types alone, and nothing imported: the shapes of a plan name
// them, and the workflows are compiled with those and without Node.

export type Principal = `user:${string}` | `addr:${string}` | `host:${string}` | `agent:${string}`

export type Readers = 'PUBLIC' | readonly Principal[]
