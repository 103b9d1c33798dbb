"""The entries that mails hold: links of chains, what they mean together, what days add up to."""
