#!/usr/bin/env node
import { beginLean } from "./lean-start.ts";

// Nothing else is imported before this: loading modules is what it makes cheaper.
beginLean();
await import("./command-line.ts");
