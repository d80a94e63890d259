import type { Region } from "../../config/store-config.ts";
import type { LobbyLive } from "../../lobby/port.ts";
import { keptInStage, type KeptInStage } from "./lane-words.ts";
import { Moment } from "./moment.tsx";
import { stageRows, type StageRow } from "./phase-words.ts";
import { spanText } from "./when.ts";

const STATE_WORDS: Readonly<Record<StageRow["state"], string>> = { past: "released", now: "now", next: "to come" };

const CLOSE_MS = 3_600_000;

/** The release as a bar cut into its stages. Widths are attributes: the content policy allows no inline style. */
function Bar({ rows }: { readonly rows: readonly StageRow[] }) {
  let left = 0;
  return (
    <svg class="stage-bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
      {rows.map((row) => {
        const x = left;
        left += row.sharePercent;
        return <rect class={`is-${row.state}`} x={String(x)} y="0" width={String(Math.max(0.5, row.sharePercent - 0.8))} height="6" />;
      })}
    </svg>
  );
}

/** Stages that follow each other closely are timed to the second; whole minutes are enough where every stage opens on one. */
function needsSeconds(rows: readonly StageRow[]): boolean {
  const isClose = rows.some((row, index) => index > 0 && row.opensAt - (rows[index - 1]?.opensAt ?? 0) < CLOSE_MS);
  const isFine = rows.some(({ drip }) => drip !== null && drip.everyMs % 60_000 !== 0);
  return isFine || (isClose && rows.some(({ opensAt }) => opensAt % 60_000 >= 1_000));
}

/** "5 every minute from 20:00 until 20:08"; how many there are in all stands before it. */
function When({ row, isOfEach, locale, withSeconds }: { readonly row: StageRow; readonly isOfEach: boolean; readonly locale: string; readonly withSeconds: boolean }) {
  const { drip } = row;
  if (drip === null) return <Moment at={row.opensAt} locale={locale} withSeconds={withSeconds} />;
  return (
    <>
      {drip.unitsEach}{isOfEach ? " of each" : ""} every {spanText(drip.everyMs).replace(/^1 (?=\w+$)/, "")}
      {drip.spans.map(({ from, until }, index) => <>{index === 0 ? " from " : " and from "}<Moment at={from} locale={locale} withSeconds={withSeconds} /> until <Moment at={until} locale={locale} withSeconds={withSeconds} /></>)}
    </>
  );
}

/** Stands beside the time of its stage, and needs no style of its own. Of a drip, what is kept of its first step stands for all of them. */
function Kept({ kept, row, locale }: { readonly kept: readonly KeptInStage[]; readonly row: StageRow; readonly locale: string }) {
  const { units } = row;
  if (row.drip !== null) return <>{kept.map((part) => <><br />each time up to {part.units} of them kept for {part.audience}, for {spanText(part.until - row.opensAt)}</>)}</>;
  return <>{kept.map((part) => <><br />{part.units} of {units} kept for {part.audience} until <Moment at={part.until} locale={locale} /></>)}</>;
}

/** Said where the release is shown, because whoever read it before is owed the difference. */
function changesText({ changes }: LobbyLive): string {
  return changes.length === 1 ? "Changed once since it was published" : `Changed ${changes.length} times since it was published`;
}

export function StagePlan({ live, locale, regions }: { readonly live: LobbyLive; readonly locale: string; readonly regions: readonly Region[] }) {
  const rows = stageRows(live);
  const withSeconds = needsSeconds(rows);
  return (
    <section class="block stages" aria-labelledby="stages-title">
      <h2 id="stages-title">Released in {rows.length === 1 ? "one stage" : `${rows.length} stages`}</h2>
      <Bar rows={rows} />
      <ol class="stage-list">
        {rows.map((row) => (
          <li class={`is-${row.state}`} data-stage={String(row.stage)} data-steps={String(row.steps)}>
            <span class="share">{row.sharePercent} %</span>
            <span class="units">{row.units} {row.units === 1 ? "unit" : "units"}</span>
            <span class="when"><When row={row} isOfEach={live.plan.stock.length > 1} locale={locale} withSeconds={withSeconds} /><Kept kept={keptInStage(live.plan, row.stage - 1, regions)} row={row} locale={locale} /></span>
            <span class="state" data-fill={`stage-${row.stage}`}>{STATE_WORDS[row.state]}</span>
          </li>
        ))}
      </ol>
      {live.plan.lanes.length === 0 ? null : <p class="fine">What those for whom it is kept have not taken by then is everyone's.</p>}
      <p class="fine">Whoever was not served keeps the place for the next stage. {live.changes.length === 0 ? null : <a href={`/drops/${live.plan.drop}/plan#changes`}>{changesText(live)}</a>}{live.changes.length === 0 ? "" : " · "}<a href={`/drops/${live.plan.drop}/plan`}>The published plan</a> · <a href={`/drops/${live.plan.drop}/record`}>the public record</a></p>
    </section>
  );
}
