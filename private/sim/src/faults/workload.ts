/** Clients: they propose, each command once, and read, anywhere; what they are told is checked. */

import { KayaError } from '@kayadb/codec';
import type { LogIndex, ProposalResult } from '@kayadb/raft';
import type { SeededRandom } from '@kayadb/testkit';

import type { Cluster } from '../cluster.ts';
import { encodeCommand } from '../node/command.ts';
import type { SimProcess } from '../node/sim-process.ts';
import type { SimSite } from '../node/sim-site.ts';
import type { SimWorld } from '../sim-world.ts';
import { drawInterval } from '../world/profile.ts';

const KEYS = 16;
/** Share of commands that go to whoever leads; the others find out who does. */
const TO_LEADER = 0.65;
/** Share that goes to somebody who leads by his own account alone, while there is one. */
const TO_STALE_LEADER = 0.5;
/** Errors that say that the command will never happen. */
const REFUSALS: ReadonlySet<string> = new Set(['KAYA_RAFT_DROPPED', 'KAYA_RAFT_NOT_LEADER']);

export class Workload {
  readonly #world: SimWorld;
  readonly #cluster: Cluster;
  readonly #random: SeededRandom;
  #nextId = 1;
  /** Counts the times that it was started or stopped: what was planned before does not happen any more. */
  #round = 0;

  constructor(world: SimWorld, cluster: Cluster) {
    this.#world = world;
    this.#cluster = cluster;
    this.#random = world.random.fork('workload');
  }

  start(): void {
    const { timeline, profile } = this.#world;
    const round = ++this.#round;
    const proposeLater = (): void => {
      timeline.after(drawInterval(profile.proposalMs, this.#random), () => {
        if (round !== this.#round) return;
        this.propose();
        proposeLater();
      });
    };
    const readLater = (): void => {
      timeline.after(drawInterval(profile.readMs, this.#random), () => {
        if (round !== this.#round) return;
        this.#read();
        readLater();
      });
    };
    proposeLater();
    readLater();
  }

  stop(): void {
    this.#round++;
  }

  propose(): void {
    const target = this.#pickTarget();
    if (target === undefined) return;
    const [site, { node }] = target;
    const id = this.#nextId++;
    const data = encodeCommand({ id, key: this.#random.int(KEYS), padding: this.#pickPadding() });
    this.#world.trace.add(`${site.id} is asked for command ${id} of ${data.length} bytes`);
    node.propose(data).then(
      (acknowledged) => this.#acknowledged(site, id, acknowledged),
      (error: unknown) => this.#ended(site, id, error),
    );
  }

  #acknowledged(site: SimSite, id: number, { index, term, result }: ProposalResult<number>): void {
    const { trace, counts, checks } = this.#world;
    counts.acknowledged++;
    trace.add(`${site.id} acknowledges command ${id} at ${index}`);
    checks.clients.acknowledged(id, { index, term, result });
  }

  #ended(site: SimSite, id: number, error: unknown): void {
    const { trace, checks } = this.#world;
    const code = error instanceof KayaError ? error.code : String(error);
    trace.add(`${site.id} gives up command ${id}: ${code}`);
    if (REFUSALS.has(code)) checks.clients.refused(id);
    else if (!(error instanceof KayaError)) checks.fail('clients', `command ${id} ended with ${code}`);
  }

  #read(): void {
    const target = this.#pickTarget(0.3);
    if (target === undefined) return;
    const [site, process] = target;
    const begunAt = this.#world.checks.clients.readBegins();
    process.node.readIndex().then(
      (index) => this.#hasRead(site, process, begunAt, index),
      () => this.#world.trace.add(`${site.id} gives up a read`),
    );
  }

  #hasRead(site: SimSite, { machine }: SimProcess, begunAt: LogIndex, index: LogIndex): void {
    const { trace, counts, checks } = this.#world;
    counts.reads++;
    trace.add(`${site.id} reads at ${index}`);
    checks.clients.readEnds(site.id, begunAt, index, machine.appliedIndex);
  }

  #pickTarget(toLeader = TO_LEADER): readonly [SimSite, SimProcess] | undefined {
    const { leader, serving } = this.#cluster;
    const stale = serving.filter(([site]) => site !== leader?.site && this.#cluster.believesToLead(site));
    if (stale.length > 0 && this.#random.chance(TO_STALE_LEADER)) return this.#random.pick(stale);
    if (leader !== undefined && this.#random.chance(toLeader)) return [leader.site, leader.process];
    return serving.length === 0 ? undefined : this.#random.pick(serving);
  }

  #pickPadding(): number {
    const { valueBytes } = this.#world.profile;
    return this.#random.chance(0.05) ? valueBytes * 3 : this.#random.int(valueBytes);
  }
}
