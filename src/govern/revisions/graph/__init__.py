"""The revision chain: files read with ``ast``, never imported, and the graph they make up."""

from govern.revisions.graph.chain import (
    Chain,
    build_chain,
    is_revision_name,
    reachable,
    read_chain,
    read_project_chain,
)
from govern.revisions.graph.files import (
    BrokenFile,
    RevisionFile,
    checksum_of,
    parse_revision_file,
    read_revision_file,
)

__all__ = [
    "BrokenFile",
    "Chain",
    "RevisionFile",
    "build_chain",
    "checksum_of",
    "is_revision_name",
    "parse_revision_file",
    "reachable",
    "read_chain",
    "read_project_chain",
    "read_revision_file",
]
