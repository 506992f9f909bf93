"""Have the heads of this log cosigned by witnesses and stamped with the time, and keep what they say."""
