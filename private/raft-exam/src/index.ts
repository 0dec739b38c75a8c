/** Runs scripts. */
