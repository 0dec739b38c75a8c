/** What a node tells of itself, made of its view. Each report is of one moment, and holds no token, no key and no value. */

import type { NodeView } from '../node-view.ts';
import type { NodeReports } from '../operations-2/node-reports.ts';
import { leaderOf, type ReportedRole, roleOf, takeSnapshot } from './node-snapshot.ts';
import { type ClientAddressOf, leaderAddressOf, membersDocument, statusDocument } from './status-document.ts';
import { v1StatsDocument } from './v1-stats-document.ts';

export interface NodeReporterOptions {
  readonly view: () => NodeView;
  /** Of other nodes. By default, what the group has agreed on. */
  readonly clientAddressOf?: ClientAddressOf;
}

export class NodeReporter implements NodeReports {
  readonly #view: () => NodeView;
  readonly #clientAddressOf: ClientAddressOf;

  constructor({ view, clientAddressOf }: NodeReporterOptions) {
    this.#view = view;
    this.#clientAddressOf = clientAddressOf ?? ((node) => rowAddress(view(), node));
  }

  role(): ReportedRole {
    return roleOf(this.#view().raft);
  }

  leaderAddress(): string | undefined {
    const view = this.#view();
    return leaderAddressOf({ view, leader: leaderOf(view.raft) }, this.#clientAddressOf);
  }

  status(): string {
    return JSON.stringify(statusDocument(takeSnapshot(this.#view()), this.#clientAddressOf));
  }

  members(): string {
    return JSON.stringify(membersDocument(takeSnapshot(this.#view()), this.#clientAddressOf));
  }

  stats(): string {
    return JSON.stringify(v1StatsDocument(takeSnapshot(this.#view())));
  }
}

function rowAddress({ machine }: NodeView, node: number): string | undefined {
  const address = machine?.members.find((member) => member.node === node)?.clientAddress;
  return address === '' ? undefined : address;
}
