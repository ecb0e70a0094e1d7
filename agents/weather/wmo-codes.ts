// Words for the weather codes of forecasts: WMO table 4677, the codes that Open-Meteo documents. A
// code that is not among them has no words rather than wrong ones. Pure.

const words: ReadonlyMap<number, string> = new Map([
  [0, 'clear'],
  [1, 'mainly clear'],
  [2, 'partly cloudy'],
  [3, 'overcast'],
  [45, 'fog'],
  [48, 'freezing fog'],
  [51, 'light drizzle'],
  [53, 'drizzle'],
  [55, 'heavy drizzle'],
  [56, 'light freezing drizzle'],
  [57, 'freezing drizzle'],
  [61, 'light rain'],
  [63, 'rain'],
  [65, 'heavy rain'],
  [66, 'light freezing rain'],
  [67, 'freezing rain'],
  [71, 'light snow'],
  [73, 'snow'],
  [75, 'heavy snow'],
  [77, 'snow grains'],
  [80, 'light showers'],
  [81, 'showers'],
  [82, 'violent showers'],
  [85, 'light snow showers'],
  [86, 'snow showers'],
  [95, 'thunderstorm'],
  [96, 'thunderstorm with light hail'],
  [99, 'thunderstorm with hail'],
])

export function summaryOf(code: number): string {
  return words.get(code) ?? `code ${code}`
}
