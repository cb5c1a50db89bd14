// Outages under the streams adapter.
import { faults } from "../helpers/faults.mjs";

faults("streams");
