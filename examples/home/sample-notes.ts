// The notes of the sample home: Markdown as a person keeps it.

export const sampleNotes: readonly (readonly [name: string, text: string])[] = [
  [
    'ideas',
    `# Ideas

- A shelf above the desk, oak, 120 cm
- Ask Jonas whether the drills could be monthly
`,
  ],
  [
    'shopping',
    `# Shopping

- [ ] oats
- [ ] dog food, the large bag
- [x] light bulbs, E27
`,
  ],
  [
    'house',
    `# House

The boiler was serviced in spring; next service in a year.

Kitchen sink drips. The plumber knows.
`,
  ],
]
