"""Grading a class: find the submissions, check each in a process of its own, keep what is done, show the whole.

submissions  what is handed in → names and bytes
job          one submission → its report and its page
local, cluster  who does the jobs: processes on this machine, or a Dask cluster
store        the folder of results, which a later run goes on from
run          all of it together
"""
