// Where things are in the person's folder, and what bounds a result. `main.journal` is the person's and is
// never written; `bank/` holds their statements and rules; `imported/<account>.journal` is written by
// imports, and read together with the main one where that does not include it.

/** Where the folder is mounted in the sandbox. */
export const financeAt = '/data/finance'
export const mainJournal = 'main.journal'
export const bankFolder = 'bank'
export const importedFolder = 'imported'
/** Entries and faults that an import shows of all that it counts. */
export const maxShown = 20
/** Of a payee or an account in a result; longer ones are cut. */
export const maxNameCharacters = 120
