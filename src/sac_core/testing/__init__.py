"""For those who write and test plugins: contract suites, the simulated executor with its faults, small fixtures.

Belongs here: what a stranger needs to know that a plugin is done. May import anything of ours.
Does not belong here: anything that SAC needs to run; nothing of ours imports this package.

- `executor_suite.ExecutorContract`: subclass it, override ``open_executor``, and pytest checks the ten promises.
- `runtime_suite.RuntimeContract`, `authenticator_suite.AuthenticatorContract`, `stage_suite.StageContract`: the same
  for the other families. `conversation_suite.ConversationContract`: how a runtime talks.
- `store_suite.StoreContract`: what remembers; SAC's own stores are its subjects.
- `packaging.PackagingContract`: what the distribution of a plugin has to be, whatever it offers.
- `simulated.SimulatedExecutor` on a `simulated_target.SimulatedTarget`: an outside world in memory, with its own clock.
- `faults.FaultPlan`: a fault at any call and any await of the simulated executor, and of a `faulty.faulty` store.
- `simulated_world.SimulatedWorld`: SAC on such a target and store, opened again and again.
- `sweep.sweep`: a fault at every point of every operation of a life, and whether all is true after a restart.
- `fixtures`: a `PluginContext` of its own, a free port, `eventually`.
"""
