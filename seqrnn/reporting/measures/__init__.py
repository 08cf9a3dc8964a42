"""Numbers of a report: from answers and histories to dataclasses, without a word of HTML."""
