"""Does the running application work? Sequences of the manifest, asked over HTTP and by functions of the project's."""

from govern.checks.probes.conversation import Probing
from govern.checks.probes.rules import RULES
from govern.checks.probes.run import Proof, choose, prepare, run_probes

__all__ = ["RULES", "Probing", "Proof", "choose", "prepare", "run_probes"]
