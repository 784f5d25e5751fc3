"""Which schedule is this? A learning rate schedule of any make, driven and named, or its fault."""

from optverify.conformance.schedules.diagnosis import ScheduleDiagnosis, diagnose_schedule
from optverify.conformance.schedules.plateau import diagnose_plateau
from optverify.conformance.schedules.slips import Slip

__all__ = ["ScheduleDiagnosis", "Slip", "diagnose_plateau", "diagnose_schedule"]
