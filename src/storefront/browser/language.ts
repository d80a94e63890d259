/**
 * The language of a region's page. The pages speak English; a region decides
 * how prices are written and which English dates are in. Saying `de` for
 * English words would make a screen reader read them as German.
 */
export function pageLanguage(locale: string): string {
  const { language, region } = new Intl.Locale(locale);
  if (language === "en") return locale;
  return region === undefined ? "en" : `en-${region}`;
}
