// Outages under the sharded adapter.
import { faults } from "../helpers/faults.mjs";

faults("sharded");
