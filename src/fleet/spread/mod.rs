//! From one run to a record of each GPU: the plan, what the schedulers are told, and what came of each task.

mod binding;
mod collected;
mod folder;
mod gather;
mod kubernetes;
mod lock;
mod plan;
mod slurm;
mod standing;
mod task_state;

pub use binding::{Given, NoGpu, SeenGpu, gpu_of_task};
pub use collected::{Collected, Remark, Remarked, collect};
pub use folder::FleetFolder;
pub use gather::{Brought, BroughtOutcome, bring};
pub use kubernetes::{PodOptions, manifest};
pub use lock::FleetLock;
pub use plan::{FleetPlan, FleetTask, MOST_TASKS, is_node_name};
pub use slurm::{
    JOB_SCRIPT, JobPaths, NodeJob, SlurmNode, binding, gpus_of_job, is_exclusive, job_of_sbatch,
    node_jobs, nodes_of_sinfo, queue_of_squeue, sbatch_arguments, sinfo_arguments,
    squeue_arguments,
};
pub use standing::{FleetStanding, Queue, QueuedJob, Standing, TaskStanding, last_line};
pub use task_state::{HEARTBEAT, TaskEnd, TaskState};
