"""The parts of the offline verifier, which `scc` uses, too.

`make verifier` builds ops/verify_mbox.py from them, the one file that an auditor runs with Python
alone. So they import the standard library, each other, and modules of `shared` and of the mailer's
`mails` that do the same.
"""
