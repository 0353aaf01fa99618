// Times as people read them.

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const EXACT = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const DAY = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });

const date = (ts) => new Date(Number(ts) * 1000);

export const clock = (ts) => CLOCK.format(date(ts));
export const exactClock = (seconds) => EXACT.format(date(seconds));

export function day(ts) {
  const that = date(ts).toDateString();
  const now = new Date();
  if (that === now.toDateString()) return "Today";
  now.setDate(now.getDate() - 1);
  return that === now.toDateString() ? "Yesterday" : DAY.format(date(ts));
}
