"""What SAC brings along, registered through the same hooks as everyone's: the process executor, the shell runtime and
the token authenticator.

Belongs here: what works on every machine and needs no further library, one module or package for each.
Does not belong here: what another part imports; they find it in the registry, by its name.
"""
