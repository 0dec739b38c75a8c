/**
 * All nodes of a cluster asked what they are, at the same time: those that the command line names, and then those that their answers name.
 *
 * Invariant: a node has one row, whichever of its addresses it was asked at, and one that does not answer has a row that says why.
 */

import type { Client, JsonDocument } from '@kayadb/client';
import { KayaError } from '@kayadb/codec';

import { CliError } from '../cli-error.ts';
import { describeError } from '../describe-error.ts';
import type { CommandContext } from '../invocation.ts';
import { connectServers } from '../store/connect-servers.ts';
import { numberOf, objectsOf, textOf } from './fields.ts';

/** Bound: rounds of asking nodes that were not known before. */
const MAX_ROUNDS = 3;

const DEFAULT_TIMEOUT_MS = 5_000;

export type NodeReport =
  | {
      readonly ok: true;
      readonly endpoint: string;
      /** `undefined` for a server of protocol v1, which does not say. */
      readonly node: number | undefined;
      /** STATUS, or STATS of a server of protocol v1. */
      readonly document: JsonDocument;
    }
  | {
      readonly ok: false;
      readonly endpoint: string;
      /** As far as others have told. */
      readonly node: number | undefined;
      readonly code: string;
      readonly error: string;
      /** What to do about it. */
      readonly hint: string;
    };

/** Keeps its connections from one asking to the next. */
export class Survey {
  readonly #context: CommandContext;
  readonly #timeoutMs: number;
  readonly #clients = new Map<string, Client>();

  /** @param timeoutMs - How long a node may take; by default what `--timeout` says. */
  constructor(context: CommandContext, timeoutMs = context.globals.timeoutMs ?? DEFAULT_TIMEOUT_MS) {
    this.#context = context;
    this.#timeoutMs = timeoutMs;
  }

  /** By node, ascending; those without a known number are the last. @throws CliError for wrong use of the command line. */
  async ask(): Promise<readonly NodeReport[]> {
    const reports: NodeReport[] = [];
    let targets: readonly string[] = [...new Set(this.#context.globals.servers)];
    for (let round = 0; round < MAX_ROUNDS && targets.length > 0; round++) {
      reports.push(...(await Promise.all(targets.map((endpoint) => this.#askNode(endpoint)))));
      targets = unaskedMembers(reports);
    }
    return withoutDoubles(reports);
  }

  /** Idempotent. */
  async close(): Promise<void> {
    const clients = [...this.#clients.values()];
    this.#clients.clear();
    await Promise.all(clients.map((client) => client.close()));
  }

  async #askNode(endpoint: string): Promise<NodeReport> {
    const { io } = this.#context;
    const timeoutMs = this.#timeoutMs;
    try {
      const document = await this.#clientOf(endpoint).status({ timeoutMs, deadlineMs: timeoutMs, signal: io.signal });
      return { ok: true, endpoint, node: numberOf(document, 'node_id'), document };
    } catch (error) {
      // Wrong use of the command, or its end, is no news about a node.
      const isNews = (error instanceof KayaError && !(error instanceof CliError)) || error instanceof TypeError;
      if (!isNews || io.signal.aborted) throw error;
      const { code, message, hint } = describeError(error);
      return { ok: false, endpoint, node: undefined, code, error: message, hint };
    }
  }

  #clientOf(endpoint: string): Client {
    const known = this.#clients.get(endpoint);
    if (known !== undefined) return known;
    const options = { timeoutMs: this.#timeoutMs, retry: { attempts: 2 }, onEvent: ignore };
    const client = connectServers(this.#context, [endpoint], options);
    this.#clients.set(endpoint, client);
    return client;
  }
}

interface KnownMember {
  readonly node: number;
  /** Where clients reach it; `undefined` until it has said so to the leader. */
  readonly address: string | undefined;
}

/** As whoever has applied most of the log knows them. */
function knownMembers(reports: readonly NodeReport[]): readonly KnownMember[] {
  const [newest] = reports
    .flatMap((report) => (report.ok ? [report.document] : []))
    .toSorted((a, b) => (numberOf(b, 'applied_index') ?? 0) - (numberOf(a, 'applied_index') ?? 0));
  const [leader, leaderAddress] = [numberOf(newest, 'leader'), textOf(newest, 'leader_address')];
  return objectsOf(newest, 'members').map((member) => {
    const node = numberOf(member, 'node') ?? 0;
    return { node, address: textOf(member, 'client_address') ?? (node === leader ? leaderAddress : undefined) };
  });
}

function unaskedMembers(reports: readonly NodeReport[]): readonly string[] {
  const nodes = new Set(reports.map(({ node }) => node));
  const endpoints = new Set(reports.map(({ endpoint }) => endpoint));
  const left = knownMembers(reports).flatMap(({ node, address }) =>
    address === undefined || nodes.has(node) || endpoints.has(address) ? [] : [address],
  );
  return [...new Set(left)];
}

function withoutDoubles(reports: readonly NodeReport[]): readonly NodeReport[] {
  const members = knownMembers(reports);
  const named = reports.map((report): NodeReport => {
    if (report.ok) return report;
    return { ...report, node: members.find(({ address }) => address === report.endpoint)?.node };
  });
  const seen = new Set<number>();
  const answered = named.filter(({ ok, node }) => {
    const isDouble = ok && node !== undefined && seen.has(node);
    if (ok && node !== undefined) seen.add(node);
    return !isDouble;
  });
  return [...answered, ...withoutAddress(members, reports)]
    .filter(({ ok, node }) => ok || node === undefined || !seen.has(node))
    .toSorted((a, b) => (a.node ?? Number.MAX_SAFE_INTEGER) - (b.node ?? Number.MAX_SAFE_INTEGER));
}

/** Members that nobody knows how to ask. One that answers has a row already. */
function withoutAddress(members: readonly KnownMember[], reports: readonly NodeReport[]): readonly NodeReport[] {
  const asked = new Set(reports.map(({ node }) => node));
  return members.flatMap(({ node, address }) => {
    if (address !== undefined || asked.has(node)) return [];
    const error = 'its address for clients is not known yet';
    const hint = 'It is known as soon as the leader has heard the node.';
    return [{ ok: false, endpoint: '-', node, code: 'KAYA_UNAVAILABLE', error, hint } as const];
  });
}

function ignore(): void {
  // A node that does not answer has a row.
}
