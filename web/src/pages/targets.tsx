import { setDefaultTarget } from "../api/resources";
import type { Status } from "../api/types";
import { Age } from "../parts/age";
import { FactTable } from "../parts/fact_table";
import { NotSandbox } from "../parts/executor";
import { Plus } from "../parts/icons";
import { Phase } from "../parts/phase";
import { ProblemBanner } from "../parts/problem";
import { useTitle } from "../parts/title";
import { useAction } from "../state/action";
import { seenOf, type Place } from "../state/places";
import { links } from "../state/route";
import { useCheckup, usePlaces } from "../state/targets";
import { t } from "../strings";

/** All places where agents can be: the one of each executor, and the declared targets. */
export function TargetsPage() {
  useTitle(t.targets.title);
  const places = usePlaces();
  const checkup = useCheckup();
  const action = useAction();
  const prefer = ({ name, executor }: Place): void =>
    void action.run(async () => void (await setDefaultTarget(name, executor))).then(places.reload);
  return (
    <>
      <div class="page-head">
        <h1>{t.targets.title}</h1>
        <span class="grow" />
        <a class="button button-primary" href={links.createTarget} data-testid="new-target">
          <Plus /> {t.targets.create}
        </a>
      </div>
      <p class="quiet" data-testid="standard-executor">
        {checkup.value?.defaultExecutor ? t.targets.lead(checkup.value.defaultExecutor) : t.targets.plainLead}
      </p>
      <ProblemBanner problem={action.problem ?? places.problem} onClose={action.problem ? action.clear : undefined} />
      <FactTable
        id="places"
        title={t.targets.places}
        columns={t.targets.columns}
        rows={places.value?.map((place) => (
          <Row key={`${place.executor}/${place.name}`} place={place} checkup={checkup.value} disabled={action.busy} onPrefer={() => prefer(place)} />
        ))}
        empty={t.targets.none}
      />
    </>
  );
}

interface RowGiven {
  place: Place;
  checkup: Status | null;
  disabled: boolean;
  onPrefer: () => void;
}

function Row({ place, checkup, disabled, onPrefer }: RowGiven) {
  const { executor, name, target, isolated, standard } = place;
  const columns = t.targets.columns;
  return (
    <tr data-testid={`place-${executor}-${name}`}>
      <th scope="row">
        {target ? <a href={links.target(name)}>{name}</a> : name} {standard && <span class="tag">{t.targets.standard}</span>}
      </th>
      <td data-label={columns.executor}>
        {executor} {isolated === false && <NotSandbox />}
      </td>
      <td data-label={columns.phase}>{target ? <Declared target={target} /> : <Own executor={executor} checkup={checkup} />}</td>
      <td data-label={columns.agents}>{target?.spec.schedulable === false ? t.targets.closed : t.targets.open}</td>
      <td data-label={columns.age}>{target ? <Age since={target.metadata.creationTimestamp} /> : t.targets.own}</td>
      <td class="row-actions">
        {!standard && (
          <button class="button button-small" data-testid="set-default" disabled={disabled} onClick={onPrefer} aria-label={`${t.target.setDefault}: ${executor}/${name}`}>
            {t.target.setDefault}
          </button>
        )}
      </td>
    </tr>
  );
}

function Declared({ target: { status } }: { target: NonNullable<Place["target"]> }) {
  return (
    <>
      <Phase phase={status.phase} testid="target-phase" />
      {status.message && <span class="reason message">{status.message}</span>}
    </>
  );
}

function Own({ executor, checkup }: { executor: string; checkup: Status | null }) {
  if (!checkup) return <span class="quiet">{t.targets.looking}</span>;
  const { ready, findings } = seenOf(executor, checkup);
  const why = findings.find(({ level }) => level === "error") ?? findings[0];
  return (
    <>
      <Phase phase={ready ? "Ready" : "NotReady"} testid="target-phase" />
      {!ready && why && <span class="reason message">{[why.message, why.advice].filter(Boolean).join(" · ")}</span>}
    </>
  );
}
