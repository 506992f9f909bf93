"""Who is bound by what: an organisation's classification under NIS2, the AI Act and the CRA, with its reasons."""
