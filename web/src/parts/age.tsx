import { useEffect, useState } from "preact/hooks";
import { t } from "../strings";

/** How long ago, in the largest unit that fits, as kubectl does. */
export function ageText(since: string, now: number): string {
  const seconds = Math.max(0, Math.floor((now - Date.parse(since)) / 1000));
  if (seconds < 2) return t.time.now;
  if (seconds < 120) return t.time.seconds(seconds);
  if (seconds < 7200) return t.time.minutes(Math.floor(seconds / 60));
  if (seconds < 172_800) return t.time.hours(Math.floor(seconds / 3600));
  return t.time.days(Math.floor(seconds / 86_400));
}

export function Age({ since }: { since: string | undefined }) {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 5_000);
    return () => clearInterval(timer);
  }, []);
  if (!since) return <span>{t.common.none}</span>;
  return (
    <time dateTime={since} title={new Date(since).toLocaleString()}>
      {ageText(since, Math.max(now, Date.now()))}
    </time>
  );
}
