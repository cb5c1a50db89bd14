// Every operation of a cluster over the adapter `streams`, in each of its settings.
import { operations, prefixes } from "../helpers/operations.mjs";

operations("streams", { slow: true });
operations("streams with recovery");
prefixes("streams");
