/** All sites of a run of whole servers. Invariant: after each event every node that did something in it is checked. */

import { nodesIn } from './members.ts';
import { ServerSite, type ServerSiteHost } from './server-site.ts';
import type { ServerWorld } from './server-world.ts';

export class ServerCluster {
  readonly #world: ServerWorld;
  readonly #sites = new Map<number, ServerSite>();
  readonly #touched = new Set<ServerSite>();
  /** Lives that lead as far as they know, by site. */
  readonly #leading = new Map<number, { readonly life: number; readonly term: number }>();

  constructor(world: ServerWorld) {
    this.#world = world;
  }

  /** By ascending id. */
  get sites(): readonly ServerSite[] {
    return [...this.#sites.values()];
  }

  find(id: number): ServerSite | undefined {
    return this.#sites.get(id);
  }

  /** @param peers - With whom it begins, or whom it asks. */
  add(id: number, peers: readonly number[], isJoining: boolean): ServerSite {
    const site = new ServerSite(id, this.#siteHost(), peers, isJoining);
    this.#sites.set(id, site);
    site.start();
    return site;
  }

  /** The one of the highest term, of those that run. */
  get leader(): ServerSite | undefined {
    return this.#leaders().at(-1);
  }

  /** Somebody who leads by his own account alone. */
  get stale(): ServerSite | undefined {
    const leaders = this.#leaders();
    return leaders.length > 1 ? leaders[0] : undefined;
  }

  /** Whom the leader counts as members; empty when nobody leads. */
  get members(): readonly number[] {
    const node = this.leader?.process?.group.member?.node;
    return node === undefined ? [] : nodesIn(node.summary().configuration);
  }

  /** Checks whoever did something since it was called last. */
  check(): void {
    for (const site of this.#touched) this.#check(site);
    this.#touched.clear();
  }

  #check(site: ServerSite): void {
    const member = site.anyProcess?.group.member;
    if (member === undefined) return;
    const { node, machine } = member;
    if (node.endError !== undefined) return;
    const { term, role } = node.summary();
    const { id, life, diskNumber: disk } = site;
    const isLeader = role === 'leader';
    const known = this.#leading.get(id);
    if (isLeader && (known?.life !== life || known.term !== term)) {
      this.#leading.set(id, { life, term });
      this.#world.counts.elections++;
    } else if (!isLeader && known !== undefined) this.#leading.delete(id);
    const { appliedIndex, durableIndex, timeMs } = machine;
    this.#world.checks.observe({ id, life, disk, term, isLeader, appliedIndex, durableIndex, timeMs });
  }

  /** Somebody was let in, which a directory must not be that has forgotten what it promised. */
  #checkFence({ id, anyProcess }: ServerSite, peer: number): void {
    const other = this.find(peer);
    // Whoever was removed, and does not know, is nobody to the group.
    if (other?.isLost !== true || other.isUntold || !this.members.includes(id)) return;
    // Whoever has just been added knows no directories yet, and has nothing that it could be made to forget.
    const row = anyProcess?.group.members.find(({ node }) => node === peer);
    if (row === undefined || row.incarnation === 0) return;
    this.#world.checks.fail(
      'fences',
      `node ${id} has let in node ${peer} with a directory that the group does not know`,
    );
  }

  /** By ascending term. */
  #leaders(): readonly ServerSite[] {
    const leading = this.sites.flatMap((site) => {
      const known = this.#leading.get(site.id);
      return known?.life === site.life && site.process !== undefined ? [{ site, term: known.term }] : [];
    });
    return leading.toSorted((a, b) => a.term - b.term).map(({ site }) => site);
  }

  #siteHost(): ServerSiteHost {
    return {
      world: this.#world,
      touched: (site) => this.#touched.add(site),
      onLog: (site, fields) => this.#log(site, fields),
    };
  }

  #log(site: ServerSite, fields: Readonly<Record<string, unknown>>): void {
    const { counts, trace } = this.#world;
    const { event, ...rest } = fields;
    if (event === 'raft.snapshot-made') counts.snapshotsMade++;
    if (event === 'raft.snapshot-installed') counts.snapshotsInstalled++;
    if (event === 'peer.in') this.#checkFence(site, Number(rest['peer']));
    trace.add(`${site.id} ${String(event)} ${describeFields(rest)}`);
  }
}

function describeFields(fields: Readonly<Record<string, unknown>>): string {
  const shown = Object.entries(fields).map(
    ([name, value]) => `${name}=${value instanceof Error ? String(value) : JSON.stringify(value)}`,
  );
  return shown.join(' ');
}
