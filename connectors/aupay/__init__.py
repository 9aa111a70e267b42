"""Orders of an au PAY Market shop, by the Wow! manager API (searchTradeInfoListProc)."""
