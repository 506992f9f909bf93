"""The practice ground: an installation of its own below the home, in which incidents are practised on real nodes."""
