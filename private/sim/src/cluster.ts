/**
 * All sites of a run, and the handshake between them: a connection is only made between incarnations that the group knows.
 *
 * Invariant: after each event every process that did something in it is checked.
 */

import {
  type Configuration,
  type LogIndex,
  type NodeEvent,
  type NodeId,
  type Role,
  type StatusSummary,
} from '@kayadb/raft';
import { describeConfiguration } from '@kayadb/raft/testing';

import type { SimProcess } from './node/sim-process.ts';
import { SimSite, type SiteHost } from './node/sim-site.ts';
import type { SimWorld } from './sim-world.ts';

/** A process that leads, as far as it knows. */
export interface LeaderView {
  readonly site: SimSite;
  readonly process: SimProcess;
  readonly status: StatusSummary;
}

interface Seen {
  readonly life: number;
  /** The node may start again from the configuration of its snapshot. */
  readonly snapshotIndex: LogIndex;
  readonly configuration: Configuration;
  readonly role: Role;
}

export class Cluster {
  readonly #world: SimWorld;
  readonly #sites = new Map<NodeId, SimSite>();
  readonly #touched = new Set<SimSite>();
  readonly #seen = new Map<NodeId, Seen>();
  /** Every configuration that was in force somewhere, and where it was seen first. */
  readonly #history: { readonly index: LogIndex; readonly configuration: Configuration; readonly words: string }[] = [];
  /** What the changes would lead to that were proposed last. */
  readonly #proposed: Configuration[] = [];
  #nextId = 1;
  #onSwitch: (site: SimSite) => void = () => {};

  constructor(world: SimWorld) {
    this.#world = world;
  }

  /** Every site there ever was, by ascending id. */
  get sites(): readonly SimSite[] {
    return [...this.#sites.values()];
  }

  /** Sites that are not switched off for good. */
  get livingSites(): readonly SimSite[] {
    return this.sites.filter(({ isRetired }) => !isRetired);
  }

  find(id: NodeId): SimSite | undefined {
    return this.#sites.get(id);
  }

  /** A site under an id that was never used; with a group to begin with, or empty. */
  add(firstGroup?: Configuration): SimSite {
    const site = new SimSite(this.#nextId++, this.#siteHost(), firstGroup);
    this.#sites.set(site.id, site);
    site.start();
    return site;
  }

  /** The one of the highest term, of those that run and that the group knows. */
  get leader(): LeaderView | undefined {
    let best: LeaderView | undefined;
    for (const site of this.livingSites) {
      const { process } = site;
      const seen = this.#seen.get(site.id);
      const mayLead = seen?.life === site.life && seen.role === 'leader';
      if (process === undefined || site.isFenced || !mayLead) continue;
      const status = process.node.summary();
      if (status.role !== 'leader' || process.node.endError !== undefined) continue;
      if (best === undefined || status.term > best.status.term) best = { site, process, status };
    }
    return best;
  }

  /** Processes that clients may talk to. */
  get serving(): readonly (readonly [SimSite, SimProcess])[] {
    return this.livingSites.flatMap((site) => {
      const { process } = site;
      return process === undefined || site.isFenced ? [] : [[site, process] as const];
    });
  }

  /**
   * Configurations that may be in force at one of the group's members, now or after a restart: a node that has not applied a change goes by the
   * one before.
   */
  get configurations(): readonly Configuration[] {
    const { leader } = this;
    const current = leader?.status.configuration ?? this.#history.at(-1)?.configuration;
    if (current === undefined) return [];
    const members = membersOf(current).filter((id) => this.find(id)?.isFenced === false);
    const oldest = Math.min(...members.map((id) => this.#seen.get(id)?.snapshotIndex ?? 0));
    const since = this.#history.findLastIndex(({ index }) => index <= oldest);
    return [...this.#history.slice(Math.max(0, since)).map(({ configuration }) => configuration), ...this.#proposed];
  }

  /**
   * A change was proposed that leads to `configuration`, and may be in somebody's log until its outcome is known.
   *
   * @returns What to call with the outcome, if it ever comes. With `done`, those that were proposed before are decided as well: they are in front of it in the log, or nowhere.
   */
  expect(configuration: Configuration): (outcome: 'done' | 'not-done') => void {
    this.#proposed.push(configuration);
    return (outcome) => {
      const at = this.#proposed.indexOf(configuration);
      if (at >= 0) this.#proposed.splice(outcome === 'done' ? 0 : at, outcome === 'done' ? at + 1 : 1);
    };
  }

  /** Calls back when a configuration comes into force at a site, in the event in which it does. */
  watchSwitches(callback: (site: SimSite) => void): void {
    this.#onSwitch = callback;
  }

  /** The configuration in force at `site` when it was seen last, in words; undefined when it was never seen. */
  wordsAt({ id }: SimSite): string | undefined {
    const seen = this.#seen.get(id);
    return seen === undefined ? undefined : describeConfiguration(seen.configuration);
  }

  /** Whether `site` leads as far as it knows, which may be wrong. */
  believesToLead({ id, life }: SimSite): boolean {
    const seen = this.#seen.get(id);
    return seen?.life === life && seen.role === 'leader';
  }

  /** Checks whoever did something since it was called last. */
  check(): void {
    for (const site of this.#touched) this.#check(site);
    this.#touched.clear();
  }

  #check(site: SimSite): void {
    const process = site.anyProcess;
    if (process === undefined || site.isFenced) return;
    const { id, life } = site;
    const { node, storage, machine } = process;
    if (node.endError !== undefined) return;
    const status = node.summary();
    const seen = this.#seen.get(id);
    const isSameLife = seen?.life === life;
    if (status.role === 'leader' && !(isSameLife && seen.role === 'leader')) this.#world.counts.elections++;
    const { appliedIndex, durableIndex } = machine;
    const configurationBefore = isSameLife ? seen.configuration : status.configuration;
    this.#world.checks.observe({ id, life, status, storage, appliedIndex, durableIndex, configurationBefore });
    const { configuration, role } = status;
    this.#seen.set(id, { life, snapshotIndex: storage.snapshotIndex, configuration, role });
    if (!isSameLife || configurationBefore !== configuration) this.#remember(status);
  }

  #remember({ applied, configuration }: StatusSummary): void {
    const words = describeConfiguration(configuration);
    // The group may come back to a configuration that it had before.
    if (this.#history.findLast(({ index }) => index <= applied)?.words === words) return;
    this.#history.push({ index: applied, configuration, words });
    this.#history.sort((a, b) => a.index - b.index);
  }

  #siteHost(): SiteHost {
    return {
      world: this.#world,
      touched: (site) => this.#touched.add(site),
      carry: (from, to, frame) => {
        this.#world.network.send(from.id, to, {
          arrive: () => this.#arrive(from, to, frame),
          fail: () => from.process?.node.reportUnreachable(to),
        });
      },
      onEvent: (site, event) => this.#count(site, event),
    };
  }

  #arrive(from: SimSite, to: NodeId, frame: Uint8Array): void {
    const site = this.#sites.get(to);
    if (site === undefined || site.isRetired || from.isRetired) return;
    if (from.isFenced || site.isFenced) this.#world.counts.fenced++;
    else site.receive(frame);
  }

  #count(site: SimSite, event: NodeEvent): void {
    const { counts, trace } = this.#world;
    if (event.kind === 'log-compacted') counts.compactions++;
    if (event.kind === 'role-changed') trace.add(`${site.id} becomes ${event.role} of term ${event.term}`);
    if (event.kind === 'snapshot-made') {
      counts.snapshotsMade++;
      trace.add(`${site.id} has made snapshot ${event.index}`);
    }
    if (event.kind === 'snapshot-installed') {
      counts.snapshotsInstalled++;
      trace.add(`${site.id} has taken over snapshot ${event.index}`);
    }
    if (event.kind === 'configuration-switched') {
      counts.configurations++;
      if (event.configuration.votersOutgoing.length > 0) counts.joints++;
      trace.add(`${site.id} is in ${describeConfiguration(event.configuration)}`);
      this.#onSwitch(site);
    }
  }
}

/** Whoever is in a group in any way, by ascending id. */
export function membersOf(configuration: Configuration): readonly NodeId[] {
  const { voters, votersOutgoing, learners } = configuration;
  return [...new Set([...voters, ...votersOutgoing, ...learners])].toSorted((a, b) => a - b);
}
