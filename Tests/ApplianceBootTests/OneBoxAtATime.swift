import Testing

/// Suites whose boxes start one after the other, beside ``PowerCutTests``: two processors carry two virtual machines.
@Suite(.serialized) enum OneBoxAtATime {}
