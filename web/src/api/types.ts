/** The objects of the API as they are on the wire; only the fields that the console reads. */
import type { Schema } from "./schema";

export type AgentPhase =
  | "Pending"
  | "Starting"
  | "Running"
  | "Stopped"
  | "Completed"
  | "Failed"
  | "Unknown"
  | "Terminating";
export type SessionPhase = "Pending" | "Running" | "Ended" | "Terminating";
export type Role = "control" | "view";

export interface Metadata {
  name: string;
  namespace?: string;
  uid?: string;
  owner?: string;
  labels?: Record<string, string>;
  generation?: number;
  resourceVersion?: string;
  creationTimestamp?: string;
  deletionTimestamp?: string;
}

export interface Condition {
  type: string;
  status: "True" | "False" | "Unknown";
  reason?: string;
  message?: string;
  lastTransitionTime?: string;
}

export interface Exit {
  code?: number | null;
  signal?: string | null;
  reason?: string;
}

export interface Port {
  name: string;
  port: number;
}

export interface Agent {
  kind: "Agent";
  metadata: Metadata;
  spec: {
    runtime: string;
    executor?: string | { name: string; target?: string };
    state?: "Running" | "Stopped";
    lifetime?: "service" | "run";
    restart?: string;
    profile?: string;
    keepVolumes?: boolean;
    workspace?: { folder?: string };
    ports?: Port[];
  };
  status: {
    phase: AgentPhase;
    reason?: string;
    message?: string;
    conditions?: Condition[];
    executor?: string;
    target?: string;
    isolated?: boolean;
    exit?: Exit;
    progress?: string;
    details?: Record<string, string>;
    restarts?: number;
    startedAt?: string;
    runningAt?: string;
    nextAttempt?: string;
  };
}

export interface Cause {
  seq: number;
  kind: string;
  actor: string;
  text: string;
  at: string;
  lastAt: string;
  count: number;
  because?: number;
}

export interface Session {
  kind: "Session";
  metadata: Metadata;
  spec: { agent: string; command?: string[]; cwd?: string; tty?: { cols: number; rows: number }; recording?: string };
  status: { phase: SessionPhase; reason?: string; message?: string; exit?: Exit; openedAt?: string; endedAt?: string };
}

export type RecordingPhase = "Recording" | "Complete" | "Interrupted";

/** What a session printed. All but phase and start is told once it has ended; `duration` in seconds. */
export interface Recording {
  kind: "Recording";
  metadata: Metadata;
  spec: { session: string; sessionUid: string; agent: string; agentUid: string; policy: string; command?: string[] };
  status: {
    phase: RecordingPhase;
    startedAt?: string;
    endedAt?: string;
    duration?: number;
    bytes?: number;
    missed?: number;
    exit?: Exit;
  };
}

export type Resource = Agent | Session;

export interface Principal {
  kind: string;
  name: string;
}

export interface Plugin {
  name: string;
  family: string;
  summary?: string;
  state?: string;
  message?: string;
  isolated?: boolean;
  settings?: Schema;
  options?: Schema;
}

export interface Finding {
  level: "ok" | "warning" | "error";
  check: string;
  message: string;
  advice?: string;
}

export type TargetPhase = "Pending" | "Ready" | "NotReady";

/** A declared place of an executor. Settings that are secret are only named, in `sealed`. */
export interface Target {
  kind: "Target";
  metadata: Metadata;
  spec: { executor: string; settings?: Record<string, unknown>; schedulable?: boolean };
  status: {
    phase: TargetPhase;
    reason?: string;
    message?: string;
    conditions?: Condition[];
    default?: boolean;
    sealed?: string[];
    isolated?: boolean;
    place?: string;
    capabilities?: string[];
    limits?: Record<string, string>;
    findings?: Finding[];
  };
}

/** What a target answers when it is tested. */
export interface Probe {
  reachable: boolean;
  findings?: Finding[];
}

export interface Status {
  version?: string;
  defaultExecutor?: string;
  findings?: Finding[];
}
