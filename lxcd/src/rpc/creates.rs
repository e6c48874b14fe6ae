//! `lxc.v1.Creates`.

use lxc_proto::v1::creates_server::Creates;
use lxc_proto::v1::{CreateRequest, PlanCreateReply, SubmitReply, SurveyReply, SurveyRequest};
use tonic::{Request, Response, Status};

use super::guard::to_the_end;
use super::status::status;
use super::{Api, convert};

#[tonic::async_trait]
impl Creates for Api {
    async fn submit(&self, request: Request<CreateRequest>) -> Result<Response<SubmitReply>, Status> {
        let caller = self.enter(&request, request.get_ref().sudo_uid).await?;
        let request = convert::create_request(request.into_inner()).map_err(|error| status(&error))?;
        let (services, who) = (self.services.clone(), caller.clone());
        let batch = to_the_end(async move { services.create(&who, &request).await }).await?;
        self.submitted(&caller, &batch).await
    }

    async fn plan(&self, request: Request<CreateRequest>) -> Result<Response<PlanCreateReply>, Status> {
        let caller = self.enter(&request, request.get_ref().sudo_uid).await?;
        let request = convert::create_request(request.into_inner()).map_err(|error| status(&error))?;
        let plan = self.services.plan_create(&caller, &request).await.map_err(|error| status(&error))?;
        Ok(Response::new(convert::create_plan(&plan)))
    }

    async fn survey(&self, request: Request<SurveyRequest>) -> Result<Response<SurveyReply>, Status> {
        let caller = self.enter(&request, request.get_ref().sudo_uid).await?;
        let remote = Some(request.into_inner().remote).filter(|remote| !remote.is_empty());
        let survey =
            self.services.survey(&caller, remote.as_deref()).await.map_err(|error| status(&error))?;
        Ok(Response::new(convert::survey(survey)))
    }
}
