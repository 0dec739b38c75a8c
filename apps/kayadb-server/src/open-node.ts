/** The node of a configuration: every setting in its place. */

import { type RunningNode, startNode } from '@kayadb/server';
import type { SecureIdentity } from '@kayadb/transport';

import type { Config } from './config.ts';
import { resolveDiskLimits } from './disk-limits.ts';
import { logEngineEvent } from './log-engine-event.ts';
import type { ServerLogger } from './logger.ts';
import { VERSION } from './version.ts';
import type { World } from './world.ts';

/** @throws As `startNode`. */
export async function openNode(
  world: World,
  config: Config,
  logger: ServerLogger,
  identity: SecureIdentity | undefined,
): Promise<RunningNode> {
  const { fileSystem, storeFileSystem, processes, network, clock, wallClock, random, yieldTurn } = world;
  const { scrubIntervalMs, scrubBytesPerSecond, tls } = config;
  return startNode({
    fileSystem,
    processes,
    network,
    clock,
    wallClock,
    random,
    yieldTurn,
    logger,
    version: VERSION,
    nodeId: config.nodeId,
    directory: config.dataDirectory.replace(/(?<=.)\/+$/u, ''),
    engine: {
      scrubIntervalMs,
      scrubBytesPerSecond,
      ...(await resolveDiskLimits(config, fileSystem)),
      ...(storeFileSystem === undefined ? {} : { fileSystem: storeFileSystem }),
      processes,
      clock,
      onEvent: (event) => logEngineEvent(logger, event),
    },
    clientAddress: config.clientAddress,
    peerAddress: config.peerAddress,
    advertisedClientAddress: config.advertisedClientAddress,
    advertisedPeerAddress: config.advertisedPeerAddress,
    peers: config.peers,
    isJoining: config.isJoining,
    tls:
      tls === undefined || identity === undefined
        ? undefined
        : {
            identity,
            minClientVersion: tls.minClientVersion,
            requiresClientCertificate: tls.requiresClientCertificate,
          },
    clientToken: config.clientToken,
    operatorToken: config.operatorToken,
    limits: { maxConnections: config.maxClientConnections },
    timing: config.timing,
    keepsLeases: config.keepsLeases,
  });
}
