// Times as people read them.

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const EXACT = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const DAY = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });

const date = (ts) => new Date(Number(ts) * 1000);

export const clock = (ts) => CLOCK.format(date(ts));
export const exactClock = (seconds) => EXACT.format(date(seconds));
export const day = (ts) => nearDay(ts) ?? DAY.format(date(ts));

function nearDay(ts) {
  for (const [name, days] of [["Today", 0], ["Yesterday", -1], ["Tomorrow", 1]]) {
    const that = new Date();
    that.setDate(that.getDate() + days);
    if (that.toDateString() === date(ts).toDateString()) return name;
  }
  return null;
}

// What stands for the tokens of <!date^…>, in the reader's own time zone.
const DATES = { date: { dateStyle: "long" }, date_short: { dateStyle: "medium" }, date_long: { dateStyle: "full" } };
const dated = (ts, style) => new Intl.DateTimeFormat(undefined, style).format(date(ts));
const TOKENS = {
  time: clock,
  time_secs: exactClock,
  date_num: (ts) => new Intl.DateTimeFormat("sv").format(date(ts)),
  ...Object.fromEntries(Object.entries(DATES).flatMap(([token, style]) => [
    [token, (ts) => dated(ts, style)], [`${token}_pretty`, (ts) => nearDay(ts) ?? dated(ts, style)]])),
};

// null where a token is none of Slack's: the fallback stands then.
export function localTime(ts, format) {
  const tokens = [...format.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
  if (!/^\d+$/.test(ts) || !tokens.length || !tokens.every((token) => TOKENS[token])) return null;
  return format.replace(/\{(\w+)\}/g, (_, token) => TOKENS[token](ts));
}
