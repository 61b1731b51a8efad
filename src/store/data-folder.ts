/**
 * What is done to the files of a data folder from outside the service, whether one runs on it or not: neither the service
 * nor its start waits for it.
 */
export interface DataFolder {
  /**
   * Copies databases from one folder to another, all as they are at one moment. Rejects when one cannot be read or
   * written; a copy that is then there is of no use.
   */
  copy(from: string, to: string, onProgress: Progress): Promise<void>;
  /** Reads the databases through and says what is wrong with them. `mode` quick leaves out what takes longest. */
  examine(folder: string, mode: 'quick' | 'thorough', onProgress: Progress): Examined;
}

/** Of what is to be done; the unit is the callee's. */
export type Progress = (done: number, total: number) => void;

export interface Examined {
  readonly teams: number;
  readonly events: number;
  /** What is damaged, in plain words; empty when all is as it was written. */
  readonly damage: readonly string[];
}
