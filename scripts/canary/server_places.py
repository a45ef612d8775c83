# SPDX-License-Identifier: Apache-2.0
"""Where secrets could be left at the server's: its memory, core, database, log, and on the way to it."""

import http.client

import files
import memory
from life import mark
from needles import Needles
from stage import crash


class ServerPlaces:
    def __init__(self, stage, report):
        self.stage = stage
        self.report = report

    def memory(self, life, when):
        report, stage, pid = self.report, self.stage, life.server.process.pid
        report.begin(f"vaultd, {when}")
        hits, size = memory.sweep(pid, life.needles.only(*life.server_secrets))
        seen = {hit.secret for hit in hits}
        missing = set(life.server_secrets) - seen
        report.check("vaultd holds its own secrets, and the search finds each (control)", not missing, missing, size, control=True)
        loose = sorted({str(hit) for hit in hits if not hit.region.is_locked})
        report.check("vaultd holds them in pages that are locked (lo) and not dumped (dd) alone", hits and not loose, "\n".join(loose))
        tokens = [name for name in life.needles.names if name.endswith("token")]
        private = life.not_names.without(*tokens)
        report.absent("vaultd's memory", memory.sweep, pid, private, stage.control, "in its environment")
        passing = life.needles.only("account name", *tokens)
        hits, _ = memory.sweep(pid, passing)
        report.note(f"of what passes by in requests, {len({hit.secret for hit in hits})} of {len(passing.names)} stand in buffers not used again yet")
        path = stage.folder / "core"
        core = memory.core(pid, path, excluded=True)
        hits, _ = files.sweep([core], life.needles.only(*life.server_secrets))
        report.check("a core of vaultd made against its wish holds its secrets (control)", bool(hits), control=True)
        core.unlink()
        core = memory.core(pid, path)
        private = life.needles.without("account name", *tokens)
        report.absent("a core of vaultd by gcore", files.sweep, [core], private, stage.control, "in its environment")
        core.unlink()

    def files(self, life, when, folders, plant):
        report = self.report
        report.begin(f"the server's files, {when}")
        control = mark("planted")
        plant(control)
        paths = [path for path in files.below(*folders) if path.name != "server.secrets"]
        report.absent("the database", files.sweep, paths, life.needles, control, "in a table of its own")
        with open(life.server.log, "a") as log:
            log.write(control + "\n")
        report.absent("the log at its most talkative", files.sweep, [life.server.log], life.needles, control, "in its last line")

    def traffic(self, life):
        report = self.report
        report.begin("the traffic")
        control = mark("asked-for")
        client = http.client.HTTPConnection("127.0.0.1", life.wire.port)
        client.request("GET", f"/v1/{control}?{control}", headers={"User-Agent": control})
        client.getresponse().read()
        client.close()
        tokens = [name for name in life.needles.names if name.endswith("token")]
        private = life.needles.without("account name", *tokens)
        report.absent("the traffic, without TLS", files.sweep, [life.wire.path], private, control, "in a request")
        asked = Needles()
        asked.add_text("path, query and agent of a request", control)
        hits, _ = files.sweep([life.server.log], asked)
        report.check("path, query and agent of that request are not in the log", not hits, hits)

    def crash(self, life):
        report = self.report
        report.begin("real crashes")
        size = life.server.log.stat().st_size
        wrong = crash(life.server.process, life.server.core_folder)
        report.check("vaultd ends when it crashes, and leaves no core", not wrong, wrong)
        said = life.server.log.read_text()[size:]
        report.check("and prints nothing of its memory", not said, said[:500])
