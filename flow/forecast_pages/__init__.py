"""The pages of forecasts: what is foretold of a site, what if, how right it was."""
