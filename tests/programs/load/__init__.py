"""Load: what many people at once cost, beside a bot written as Bolt's documentation has it.

    python -m tests.programs.load  every N, both ways in, with the baselines
    python -m tests.programs.load --n 50 --mode socket  a part of it
    python -m tests.programs.load --n 100 --workers 2  how two workers share the work
    python -m tests.programs.load --sessions 2000  growth: many waves

One *case* is a program (the bot, or the baseline with its default pool or a pool of N), a way in
(Socket Mode or HTTP) and a number N. Each case has processes of its own, all fresh:

    this one: drives, samples /proc every 50 ms
    slack    the simulated Slack, strict as in every test, without rate limits
    openai   the fake OpenAI; each image takes 10 s and is the same 2 MB PNG
    valkey   with its append-only file, as in production
    the bot  `python -m bot web` and one or two `python -m bot worker`, WORKER_CONCURRENCY=N each;
             or `tests.programs.load.baseline`

**The course of a case.** One session warms everything up (its image takes 0.2 s), one more goes
alone, as N people would. Then N people in 20 channels type `/imagine` in the same instant, and
all their drafts are waited for, with three seconds for what comes after. With `--approve` all
drafts are then approved at once, and counted apart.

**The figures.**

- *Ack*: from the simulator's sending of a command to its having the answer, so its own time is in
  it. In time: within Slack's 3 s; what comes later, or never, is missed, and counts with 3 s.
- *Ideal*: what the session that went alone took from command to draft: the model's 10 s, and a
  floor that no number of processors takes away. *Last ÷ ideal*: the same of the last of N.
- *Burst*: from the first image's being made to the last draft. All N images are made in the same
  moment, which is the worst there is; *machine busy* is how much of all processors the processes
  above used meanwhile. Near 100 %, the simulators are in the bot's way, as no Slack would be.
- *CPU per image*: user and system time (/proc/PID/stat, in ticks of 10 ms) of web and workers,
  from before the commands to after the drafts, by the drafts that came. Slack's, openai's and
  valkey's stand apart.
- *RSS*: peak is the sum of each process's VmHWM since before the commands. *Per image in flight*:
  the workers' peak above what they had before, by N; as a multiple of the image's size (2 MB, not
  its base64).
- *Redis per session*: the growth of `used_memory` by N, and in brackets what the keys without
  images take (the session, its lists, its two jobs).
- *API calls per image*: what the simulators were asked, by N; edits of the status grow with time.
- *Shares*: the images that each worker asked for (each has an OPENAI_PROJECT_ID of its own).

**What the simulators are spared.** The fake OpenAI's events are not checked against the SDK's
types, and each image is encoded once; the simulated Slack forgets an image's bytes once it knows
its size, and limits no rates: Slack's own limits (about a post a second in a channel) would be what
is measured otherwise.
"""
