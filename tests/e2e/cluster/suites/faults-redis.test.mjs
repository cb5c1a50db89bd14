// Outages under the classic adapter.
import { faults } from "../helpers/faults.mjs";

faults("redis");
