/** Whom the other end of a connection between nodes has to be, where TLS is on: what the operator says, or the node of that number, or the host that it is dialed at. */

import type { NodeId } from '@kayadb/raft';
import type { DialTls, ExpectedIdentity, ListenTls } from '@kayadb/transport';

import type { Member } from '../machine/command.ts';
import type { NodeTls } from '../node-options.ts';
import type { PeerBook } from './peer-book.ts';

export class PeerTls {
  /** Of the nodes' port: nodes prove themselves to each other. */
  readonly listen: ListenTls;
  readonly #tls: NodeTls;
  readonly #book: PeerBook;
  readonly #members: () => readonly Member[];

  constructor(tls: NodeTls, book: PeerBook, members: () => readonly Member[]) {
    this.listen = { identity: tls.identity, requiresPeerCertificate: true };
    this.#tls = tls;
    this.#book = book;
    this.#members = members;
  }

  /** Of a node that this one knows no address of, only the number in its certificate tells that it is not another one, such as a node that was removed. */
  identityOf(node: NodeId): ExpectedIdentity {
    const setting = this.#book.setting(node);
    if (setting?.identity !== undefined) return setting.identity;
    return { kind: 'node', node, host: this.#book.vouchedAddressOf(node, this.#members())?.host };
  }

  dial(node: NodeId): DialTls {
    return { identity: this.#tls.identity, expected: this.identityOf(node) };
  }
}
