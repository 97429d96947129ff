"""The port of a Slurm job."""
from devias_mm.engine.slurm import choose_port


def port(**environment):
    choose_port(environment)
    return environment['MASTER_PORT']


def test_jobs_and_steps_have_ports_of_their_own():
    ports = [port(SLURM_JOB_ID=str(job), SLURM_STEP_ID=str(step))
             for job in (4711, 4712, 4713) for step in (0, 1, 2)]
    assert len(set(ports)) == 9 and all(1024 < int(each) < 65536 for each in ports)
    # all processes of a step agree
    assert port(SLURM_JOB_ID='4711', SLURM_STEP_ID='1', SLURM_PROCID='3') == ports[1]


def test_a_port_that_is_set_stays():
    assert port(SLURM_JOB_ID='4711', MASTER_PORT='29511') == '29511'
