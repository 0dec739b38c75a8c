/** Changes of a group that there may not be yet, or not any more: then each is refused, as writes are. */

import type {
  ChangeOptions,
  MembershipOperations,
  NewMember,
  PlannedChange,
} from '../membership/membership-operations.ts';
import type { ReplicaError } from '../replica/replica-error.ts';

export class LateMembership implements MembershipOperations {
  readonly #refusal: () => ReplicaError;
  #membership: MembershipOperations | undefined;

  /** @param refusal - What those are told that come too early, or too late. */
  constructor(refusal: () => ReplicaError) {
    this.#refusal = refusal;
  }

  /** `undefined`: there is none any more. */
  set(membership: MembershipOperations | undefined): void {
    this.#membership = membership;
  }

  async add(member: NewMember, options: ChangeOptions): Promise<PlannedChange> {
    return this.#get().add(member, options);
  }

  async promote(node: number, options: ChangeOptions): Promise<PlannedChange> {
    return this.#get().promote(node, options);
  }

  async remove(node: number, options: ChangeOptions): Promise<PlannedChange> {
    return this.#get().remove(node, options);
  }

  async transfer(node: number): Promise<number> {
    return this.#get().transfer(node);
  }

  #get(): MembershipOperations {
    if (this.#membership === undefined) throw this.#refusal();
    return this.#membership;
  }
}
