"""The daily statement: what a business day adds up to, chained to the day before and signed.

It knows no Gmail. A statement is stored once and handed to the mailer as a claim check.
"""
