"""Many sessions by many people, real processes, and faults thrown at all of them; then an oracle.

    plan (seed) ─→ people ─→ faulty Slack ─→ web 1, web 2 ─┐          journal: every step and fault,
         │            ↑         ↑  (sockets | balancer)    ├─ links ─→ Valkey      with its time
         │            └── index ┘     worker 1, worker 2 ──┘    └────→ Slack, OpenAI
         └──────→ fault_injection: processes, links, Valkey, Slack, OpenAI
    idle: all faults end, all is started again, nothing is owed any more
    evidence (Slack's log, OpenAI's requests and images, every Redis key, the processes' logs)
         ─→ oracle: one function for each thing that always holds ─→ report

`plan` is made from a seed alone: the same seed gives the same visits of the same people and the
same faults at the same seconds. It does not give the same interleaving: processes and sockets run
as the machine lets them, so a seed that found something once may need a few runs to find it again.

The processes are `python -m bot web|worker`, each behind `links` of its own (TCP proxies that cut,
refuse, go silent, delay, or lose answers) to Valkey, Slack and OpenAI; a supervisor starts again
what has ended. Sockets, uploads and response URLs share one more link. `faulty_slack` delivers some
requests late, twice, and in another order. Valkey keeps its append-only file with `appendfsync
always`: what it has answered survives `kill -9`, so the oracle forgives no loss.

`people` act as people do: who is told to try again does, who gets no answer repeats it, who sees no
change presses once more. What they type holds a word that exists nowhere else, by which the oracle
follows it to the root message, the provider's bill and (never) the logs.

`evidence` is read past the program: plain Redis commands, the simulator's log, the fake's bill. An
`archive` keeps how each session last looked with its attempts, because starting over clears them.
What was paid without a candidate to show for it needs a cause in the journal: a process that died,
or an answer that was lost, before the response's id could be recorded. Those are counted and
reported; anything else is a violation, as is every other thing in `oracle.CHECKS`.

    python -m tests.programs.chaos --sessions 300 --seed 7 --minutes 15 --mode socket

takes as long as it says and a few minutes for its end, needs about two cores, writes
`artifacts/chaos/<mode>-<seed>/` (plan, journal, logs, report) and exits with 1 on a violation.
pytest runs two short ones. `--sessions` of 20 a minute leave a machine with two cores time.
"""
