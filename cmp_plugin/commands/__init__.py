"""One module per verb, each with `run(args) -> exit code`; imported only when the verb runs."""
