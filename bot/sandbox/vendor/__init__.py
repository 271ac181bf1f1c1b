"""Scripted providers: real HTTP servers on loopback that fail as a scenario says."""

from bot.sandbox.vendor.scenario import Answering, Scenario, ScenarioError
from bot.sandbox.vendor.servers import VendorRequest, Vendors

__all__ = ["Answering", "Scenario", "ScenarioError", "VendorRequest", "Vendors"]
