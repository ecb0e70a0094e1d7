// Every parser of what others write, by the module that tries it. A name here is what the child is asked for.

import { borgOutput, resticOutput } from './backups.ts'
import { caldavCalendars, caldavLists } from './caldav.ts'
import { icsFiles, todoFiles } from './calendars.ts'
import { appleExport, autoExport } from './health.ts'
import { journals, simpleFin } from './money.ts'
import { activityWatch, knowledge } from './screen.ts'
import { settings } from './settings.ts'
import { csvRules, csvStatements, ofxStatements, qfxStatements } from './statements.ts'
import type { HostileParser } from './trial.ts'
import { forecasts, jsonFeeds, opmlLists, warnings, xmlFeeds } from './web.ts'

export const parsers: Readonly<Record<string, HostileParser>> = {
  ...{ icsFiles, todoFiles, caldavCalendars, caldavLists },
  ...{ appleExport, autoExport },
  ...{ csvStatements, csvRules, ofxStatements, qfxStatements, simpleFin, journals },
  ...{ activityWatch, knowledge },
  ...{ resticOutput, borgOutput },
  ...{ xmlFeeds, jsonFeeds, opmlLists, forecasts, warnings },
  ...{ settings },
}
