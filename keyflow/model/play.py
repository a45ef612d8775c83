# SPDX-License-Identifier: Apache-2.0
"""A registration and a login between two of `sides`, with a hand on the line."""

from primitives import Refused


class RefusedAt(Exception):
    """The receiver of `message` refused."""

    def __init__(self, message):
        super().__init__(message)
        self.message = message


class Line:
    """Carries messages; alters the one it was told to."""

    def __init__(self, message=None, alter=None):
        self.message, self.alter = message, alter

    def carry(self, message, data, receive):
        """What `receive` makes of the message as it arrives."""
        if message == self.message:
            data = self.alter(data)
        try:
            return receive(data)
        except Refused as refusal:
            raise RefusedAt(message) from refusal


UNTOUCHED = Line()


def register(client, server, password, name, line=UNTOUCHED):
    state, request = client.start_registration(password)
    response = line.carry("request", request, lambda m: server.respond_registration(m, name))
    return line.carry("response", response, lambda m: client.finish_registration(state, m))


def login(client, server, record, password, name, line=UNTOUCHED):
    """(the server's session key, the client's, the export key)"""
    state, ke1 = client.start_login(password)
    if line.message == "record":
        answer = line.carry("record", record, lambda m: server.respond_login(m, ke1, name))
    else:
        answer = line.carry("ke1", ke1, lambda m: server.respond_login(record, m, name))
    kept, ke2 = answer
    ke3, session, export = line.carry("ke2", ke2, lambda m: client.finish_login(state, m))
    return line.carry("ke3", ke3, lambda m: server.confirm(kept, m)), session, export


def agree(results, exports):
    """That a login ended well: one session key, and the registration's export key."""
    theirs, mine, export = results
    assert theirs == mine and len(mine) == 64
    assert len({e for e in (export, *exports) if e is not None}) <= 1
    return mine


def refused_at(run, *arguments):
    """The message whose receiver refused; None when both sides ended with keys."""
    try:
        run(*arguments)
    except RefusedAt as refusal:
        return refusal.message
