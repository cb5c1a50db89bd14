// Every operation of a cluster over the adapter `sharded`, in each of its settings.
import { operations, prefixes } from "../helpers/operations.mjs";

operations("sharded, dynamic", { slow: true });
operations("sharded, static");
operations("sharded, dynamic-private");
prefixes("sharded, dynamic");
