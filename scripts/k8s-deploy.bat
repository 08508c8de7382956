@echo off
rem Deploys a Kustomize overlay. See --help. The same as k8s-deploy.sh, for Windows 10 and newer.
setlocal
set "LIB=%~dp0lib-deploy.bat"
call "%LIB%" :defaults
set "NAMESPACE="
set "OVERLAY=dev"
set "TAG="
set "REGISTRY="
set "SECRETS_DIR="

:arguments
if "%~1"=="" goto checked
if "%~1"=="--help" goto help
if "%~1"=="-h" goto help
if "%~1"=="--release" echo error: the manifests have fixed names: install a second one with scripts\helm-deploy.bat 1>&2
if "%~1"=="--release" exit /b 2
if "%~1"=="--overlay" goto take_overlay
if "%~1"=="--tag" goto take_tag
if "%~1"=="--registry" goto take_registry
if "%~1"=="--secrets" goto take_secrets
call "%LIB%" :option %1 %2
if not "%RC%"=="0" exit /b 2
shift
if "%USED%"=="2" shift
goto arguments

:take_overlay
call "%LIB%" :value %1 %2
if not "%RC%"=="0" exit /b 2
set "OVERLAY=%~2"
shift
shift
goto arguments

:take_tag
call "%LIB%" :value %1 %2
if not "%RC%"=="0" exit /b 2
set "TAG=%~2"
shift
shift
goto arguments

:take_registry
call "%LIB%" :value %1 %2
if not "%RC%"=="0" exit /b 2
set "REGISTRY=%~2"
shift
shift
goto arguments

:take_secrets
call "%LIB%" :value %1 %2
if not "%RC%"=="0" exit /b 2
set "SECRETS_DIR=%~2"
shift
shift
goto arguments

:help
echo Usage: scripts\k8s-deploy.bat [OPTION]
echo.
echo Deploys with Kustomize: creates the namespace and the Secret when they are missing, applies an overlay of k8s/overlays,
echo waits for the migration and the rollouts and asks every service for its health. Safe to repeat.
echo.
echo   --overlay NAME     dev (default), prod, light, reuse-infrastructure
echo   --namespace NAME   default: the overlay's
echo   --tag TAG          tag of the images (default: the overlay's)
echo   --registry NAME    registry of the images, such as registry.example
echo   --secrets DIR      files named like the Secret's keys; what is missing there is generated
echo   --context NAME     context of kubectl
echo   --host HOST        where the NodePorts answer (default: found out)
echo   --timeout SECONDS  longest wait for each step (default 900)
echo   --dry-run          print what would be changed
echo   --yes              ask nothing
echo   --help
exit /b 0

:checked
set "OVERLAY_FILE=%REPO%\k8s\overlays\%OVERLAY%\kustomization.yaml"
if not exist "%OVERLAY_FILE%" echo error: there is no overlay %OVERLAY% in k8s\overlays 1>&2
if not exist "%OVERLAY_FILE%" exit /b 2
if not "%NAMESPACE%"=="" goto named
call "%LIB%" :make_scratch
"%FIND%" "namespace:" <"%OVERLAY_FILE%" >"%SCRATCH%\answer"
for /f "usebackq tokens=1,2" %%A in ("%SCRATCH%\answer") do if "%%A"=="namespace:" set "NAMESPACE=%%B"
if "%NAMESPACE%"=="" echo error: the overlay names no namespace: give one with --namespace 1>&2
if "%NAMESPACE%"=="" exit /b 2

:named
if "%REGISTRY:~-1%"=="/" set "REGISTRY=%REGISTRY:~0,-1%"
if "%SECRETS_DIR%"=="" goto start
if exist "%SECRETS_DIR%\" goto start
echo error: %SECRETS_DIR% is not a directory 1>&2
exit /b 2

:start
call :main
if errorlevel 1 goto ended_badly
call "%LIB%" :clean_up
exit /b 0

:ended_badly
call "%LIB%" :clean_up
exit /b 1

:main
call "%LIB%" :need_cluster
if errorlevel 1 exit /b 1
set "MODE=bundled"
"%FIND%" "existing-infrastructure" <"%OVERLAY_FILE%" >nul
if not errorlevel 1 set "MODE=external"
call "%LIB%" :ensure_namespace
if errorlevel 1 exit /b 1
call "%~dp0lib-secret.bat" :ensure %RELEASE% "%SECRETS_DIR%" %MODE%
if errorlevel 1 exit /b 1
call :write_kustomization
if errorlevel 1 exit /b 1
rem a Job cannot be changed; migrating again changes nothing
call "%LIB%" :change %KUBE% delete jobs --selector "app.kubernetes.io/component=migrate,app.kubernetes.io/instance=%RELEASE%" --ignore-not-found
if errorlevel 1 exit /b 1
call "%LIB%" :change %KUBE% apply -k "%REPO%\.dev\k8s-deploy"
if errorlevel 1 exit /b 1
call "%LIB%" :wait_for_migration
if errorlevel 1 exit /b 1
call "%LIB%" :wait_for_rollout
if errorlevel 1 exit /b 1
call "%LIB%" :health_check %TIMEOUT%
if errorlevel 1 exit /b 1
exit /b 0

rem A kustomization around the overlay, so that no file of the repository is edited for a namespace or a tag.
:write_kustomization
if not exist "%REPO%\.dev\k8s-deploy" mkdir "%REPO%\.dev\k8s-deploy"
set "OUT=%REPO%\.dev\k8s-deploy\kustomization.yaml"
>"%OUT%" echo namespace: %NAMESPACE%
>>"%OUT%" echo resources: [../../k8s/overlays/%OVERLAY%]
if "%TAG%%REGISTRY%"=="" exit /b 0
>>"%OUT%" echo images:
for %%N in (bizosaas identity ai-orchestrator chatbot crm analytics) do call :image %%N
exit /b 0

:image
>>"%OUT%" echo   - name: bizosaas/%~1
if not "%REGISTRY%"=="" >>"%OUT%" echo     newName: %REGISTRY%/bizosaas/%~1
if not "%TAG%"=="" >>"%OUT%" echo     newTag: '%TAG%'
exit /b 0
