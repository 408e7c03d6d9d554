"""The contract of conversations as a pytest class: subclass it, say how yours is begun and what to say, run pytest.

pytest_plugins = ["sac_core.testing.pytest_plugin"]

class TestAcme(ConversationContract):
    def talk(self, resume=None):
        return sac.agents.converse("a1", resume=resume)

    def plain(self):
        return "hello"
"""

from sac_core.testing.promises.conversations import ConversationContract

__all__ = ["ConversationContract"]
